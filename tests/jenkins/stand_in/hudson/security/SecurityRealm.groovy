package hudson.security

import org.springframework.security.core.authority.SimpleGrantedAuthority

class SecurityRealm {
    static final AUTHENTICATED_AUTHORITY2 = new SimpleGrantedAuthority('authenticated')
}
