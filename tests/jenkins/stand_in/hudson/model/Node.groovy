package hudson.model

class Node {
    String nodeName
}
