package hudson.model.queue

import hudson.model.Node
import hudson.model.Queue

abstract class QueueTaskDispatcher {
    CauseOfBlockage canTake(Node node, Queue.BuildableItem item) {
        null
    }
}
