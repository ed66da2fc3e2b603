package jenkins.security

abstract class QueueItemAuthenticatorProvider {
    abstract List<QueueItemAuthenticator> getAuthenticators()
}
