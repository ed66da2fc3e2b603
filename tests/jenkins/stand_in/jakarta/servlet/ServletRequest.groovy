package jakarta.servlet

class ServletRequest {
    Map<String, String> headers

    String getHeader(String name) {
        headers[name]
    }
}
