package org.springframework.security.core.authority

class SimpleGrantedAuthority {
    final String authority

    SimpleGrantedAuthority(String authority) {
        this.authority = authority
    }
}
