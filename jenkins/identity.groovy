// Who asks, once more: the plugin that believes Nginx (reverse-proxy-auth) keeps the groups of a
// request in a field that all requests share, where another user's can come between. Here they are
// read from the request itself, by the names of headers that login.yaml gives.

import hudson.security.SecurityRealm
import hudson.util.PluginServletFilter
import jakarta.servlet.Filter
import jakarta.servlet.FilterChain
import jakarta.servlet.FilterConfig
import jakarta.servlet.ServletRequest
import jakarta.servlet.ServletResponse
import jenkins.model.Jenkins
import org.springframework.security.authentication.UsernamePasswordAuthenticationToken
import org.springframework.security.core.authority.SimpleGrantedAuthority
import org.springframework.security.core.context.SecurityContextHolder

class Identity implements Filter {
    final String userHeader
    final String groupsHeader
    final String delimiter

    Identity(realm) {
        userHeader = realm.forwardedUser
        groupsHeader = realm.headerGroups
        delimiter = realm.headerGroupsDelimiter
    }

    @Override
    void init(FilterConfig config) {
    }

    @Override
    void doFilter(ServletRequest request, ServletResponse response, FilterChain chain) {
        def user = request.getHeader(userHeader)
        if (user) {
            def groups = (request.getHeader(groupsHeader) ?: '').tokenize(delimiter)
            SecurityContextHolder.context.authentication = new UsernamePasswordAuthenticationToken(
                user, '', [SecurityRealm.AUTHENTICATED_AUTHORITY2] +
                    groups.collect { new SimpleGrantedAuthority(it) })
        }
        chain.doFilter(request, response)
    }

    @Override
    void destroy() {
    }
}

PluginServletFilter.addFilter(new Identity(Jenkins.get().securityRealm))
