package org.springframework.security.core.context

class SecurityContextHolder {
    static final context = new Expando()
}
