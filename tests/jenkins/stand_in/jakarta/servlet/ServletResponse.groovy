package jakarta.servlet

class ServletResponse {
}
