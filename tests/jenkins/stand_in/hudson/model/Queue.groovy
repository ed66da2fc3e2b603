package hudson.model

class Queue {
    static interface Task {
        Task getOwnerTask()
    }

    static class BuildableItem {
        Task task
    }
}
