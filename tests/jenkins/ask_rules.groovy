// Runs jenkins/rules.groovy with stand_in/ in place of Jenkins, and asks it: which of these agents
// may a job use, and in whose name do its builds run?
// usage: groovy -cp stand_in ask_rules.groovy SCRIPT AGENT,... JOB...

import groovy.json.JsonOutput
import hudson.ExtensionList
import hudson.model.Item
import hudson.model.Node
import hudson.model.Queue
import hudson.model.queue.QueueTaskDispatcher
import jenkins.security.QueueItemAuthenticatorProvider

class Job implements Item, Queue.Task {
    String fullName

    Queue.Task getOwnerTask() {
        this
    }
}

class Part implements Queue.Task {
    Queue.Task ownerTask
}

new GroovyShell(this.class.classLoader).evaluate(new File(args[0]))
def (dispatcher) = ExtensionList.lookup(QueueTaskDispatcher)
def (provider) = ExtensionList.lookup(QueueItemAuthenticatorProvider)
def answers = args.drop(2).collectEntries { name ->
    // What waits for an agent is a part of a build, as a step `node` is.
    def task = new Part(ownerTask: new Job(fullName: name))
    def agents = args[1].split(',').findAll { agent ->
        !dispatcher.canTake(new Node(nodeName: agent), new Queue.BuildableItem(task: task))
    }
    [(name): [agents: agents, as: provider.authenticators*.authenticate2(task)*.name]]
}
// A part whose build is gone is its own owner, and no job.
def lost = new Part()
lost.ownerTask = lost
answers['gone'] = [
    agents: args[1].split(',').findAll { agent ->
        !dispatcher.canTake(new Node(nodeName: agent), new Queue.BuildableItem(task: lost))
    },
    as: provider.authenticators*.authenticate2(lost)*.name,
]
println JsonOutput.toJson(answers)
