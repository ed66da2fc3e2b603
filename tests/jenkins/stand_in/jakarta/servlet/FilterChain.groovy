package jakarta.servlet

interface FilterChain {
    void doFilter(ServletRequest request, ServletResponse response)
}
