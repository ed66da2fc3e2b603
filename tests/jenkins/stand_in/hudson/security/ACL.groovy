package hudson.security

import org.springframework.security.core.Authentication

class ACL {
    static final Authentication SYSTEM2 = new Authentication(name: 'SYSTEM')
}
