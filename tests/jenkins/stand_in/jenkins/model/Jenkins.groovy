package jenkins.model

import org.springframework.security.core.Authentication

class Jenkins {
    static final Authentication ANONYMOUS2 = new Authentication(name: 'anonymous')
    static Map realm

    static Jenkins get() {
        new Jenkins()
    }

    Map getSecurityRealm() {
        realm
    }
}
