package jakarta.servlet

interface Filter {
    void init(FilterConfig config)

    void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)

    void destroy()
}
