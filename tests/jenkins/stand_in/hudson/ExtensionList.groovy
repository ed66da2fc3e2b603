package hudson

class ExtensionList {
    static final Map<Class, List> ALL = [:].withDefault { [] }

    static List lookup(Class type) {
        ALL[type]
    }
}
