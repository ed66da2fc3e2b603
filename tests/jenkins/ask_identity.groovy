// Runs jenkins/identity.groovy with stand_in/ in place of Jenkins; prints who a request is of.
// usage: groovy -cp stand_in ask_identity.groovy SCRIPT [HEADER=VALUE]...

import groovy.json.JsonOutput
import hudson.util.PluginServletFilter
import jakarta.servlet.FilterChain
import jakarta.servlet.ServletRequest
import jakarta.servlet.ServletResponse
import jenkins.model.Jenkins
import org.springframework.security.core.Authentication
import org.springframework.security.core.context.SecurityContextHolder

// As the plugin may have left it: with another user's groups.
SecurityContextHolder.context.authentication = new Authentication(name: 'left')
Jenkins.realm = [forwardedUser: 'User', headerGroups: 'Groups', headerGroupsDelimiter: ',']
new GroovyShell(this.class.classLoader).evaluate(new File(args[0]))
def (filter) = PluginServletFilter.ALL
def headers = args.drop(1).collectEntries { it.split('=', 2) as List }
def passed = []
def chain = { request, response ->
    def who = SecurityContextHolder.context.authentication
    passed << [name: who.name, groups: who.authorities*.authority]
} as FilterChain
filter.doFilter(new ServletRequest(headers: headers), new ServletResponse(), chain)
println JsonOutput.toJson(passed)
