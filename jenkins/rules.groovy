// Which builds may use which agent, and in whose name builds run. Jenkins runs this once, when it
// has started and before an agent can be there: agents learn their secrets from the end of it.
//
// The job GROUP/NAME is the platform's release of a repository. GROUP/NAME.checks runs the
// Jenkinsfile of that repository, which is anybody's code: it may name any agent and any job.

import hudson.ExtensionList
import hudson.model.Item
import hudson.model.Node
import hudson.model.Queue
import hudson.model.queue.CauseOfBlockage
import hudson.model.queue.QueueTaskDispatcher
import hudson.security.ACL
import jenkins.model.Jenkins
import jenkins.security.QueueItemAuthenticator
import jenkins.security.QueueItemAuthenticatorProvider
import jenkins.slaves.JnlpAgentReceiver
import org.springframework.security.core.Authentication

class Rules {
    static final String NAME = '[a-z0-9][a-z0-9-]*'
    static final String CHECKS = 'checks-'

    /** The full name of the job that a task is of: a build, or a part of one on an agent. */
    static String job(Queue.Task task) {
        def owner = task.ownerTask
        owner instanceof Item ? owner.fullName : ''
    }

    static boolean isRelease(String job) {
        job ==~ "${NAME}/${NAME}"
    }

    /** Releases have an agent, which holds a token; each group's own checks have another. */
    static boolean mayUse(String node, String job) {
        if (node == 'releases') {
            return isRelease(job)
        }
        if (node.startsWith(CHECKS)) {
            return job ==~ "${node.substring(CHECKS.length())}/${NAME}\\.checks"
        }
        return true  // Jenkins itself, which has no executors
    }
}

class Reserved extends CauseOfBlockage {
    final String node

    Reserved(String node) {
        this.node = node
    }

    @Override
    String getShortDescription() {
        "The agent ${node} is not for this job"
    }
}

class Agents extends QueueTaskDispatcher {
    @Override
    CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        Rules.mayUse(node.nodeName, Rules.job(item.task)) ? null : new Reserved(node.nodeName)
    }
}

/** Releases start the checks of their repository. All others can start, see and change nothing. */
class InWhoseName extends QueueItemAuthenticator {
    @Override
    Authentication authenticate2(Queue.Task task) {
        Rules.isRelease(Rules.job(task)) ? ACL.SYSTEM2 : Jenkins.ANONYMOUS2
    }
}

class Names extends QueueItemAuthenticatorProvider {
    @Override
    List<QueueItemAuthenticator> getAuthenticators() {
        [new InWhoseName()]
    }
}

ExtensionList.lookup(QueueTaskDispatcher).add(new Agents())
ExtensionList.lookup(QueueItemAuthenticatorProvider).add(new Names())

// An agent and Jenkins have a Swarm secret of the agent's name. What the agent says to Jenkins is
// Jenkins' own to make; the agent finds it under the name that only the two know.
def root = System.getenv('NOTEHIVE_ROOT') ?: ''
new File("${root}/run/secrets").eachFileMatch(~/releases|checks-.+/) { known ->
    new File("${root}/var/lib/notehive/agents/${known.text.trim()}").text =
        JnlpAgentReceiver.DATABASE.getSecretOf(known.name)
}
// The health check asks for it: without these rules, Jenkins does not stay up.
new File("${root}/tmp/rules").createNewFile()
