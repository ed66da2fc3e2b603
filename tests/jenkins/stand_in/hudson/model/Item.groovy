package hudson.model

interface Item {
    String getFullName()
}
