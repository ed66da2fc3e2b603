package org.springframework.security.core

class Authentication {
    String name
    List authorities = []
}
