package hudson.util

import jakarta.servlet.Filter

class PluginServletFilter {
    static final List<Filter> ALL = []

    static void addFilter(Filter filter) {
        ALL << filter
    }
}
