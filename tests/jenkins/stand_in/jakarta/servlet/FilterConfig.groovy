package jakarta.servlet

interface FilterConfig {
}
