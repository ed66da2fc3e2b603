package org.springframework.security.authentication

import org.springframework.security.core.Authentication

class UsernamePasswordAuthenticationToken extends Authentication {
    UsernamePasswordAuthenticationToken(String name, String password, List authorities) {
        this.name = name
        this.authorities = authorities
    }
}
