package jenkins.slaves

class JnlpAgentReceiver {
    static final DATABASE = new Expando(getSecretOf: { String name -> "secret of ${name}" as String })
}
