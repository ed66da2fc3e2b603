// Runs jenkins/jobs.groovy and prints what it makes: each word with what it was given, and the words
// of its block below it. Stands in for Job DSL, whose own classes know which words there are.
// usage: groovy job_dsl.groovy SCRIPT

import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration

/** Prints the words of a block. */
class Block {
    static final WORDS = [
        'abortPrevious', 'authorizationMatrix', 'branch', 'cps', 'cpsScm', 'definition',
        'description', 'disableConcurrentBuilds', 'entries', 'git', 'group', 'inheritanceStrategy',
        'inheriting', 'lightweight', 'logRotator', 'name', 'numToKeep', 'parameters', 'permissions',
        'properties', 'remote', 'sandbox', 'scm', 'script', 'scriptPath', 'stringParam', 'url',
    ]
    int depth

    def invokeMethod(String word, given) {
        if (!(word in WORDS)) {
            throw new MissingMethodException(word, Block, given as Object[])
        }
        def values = given.findAll { !(it instanceof Closure) }.collect { JsonOutput.toJson(it) }
        println '  ' * depth + [word, *values].join(' ')
        given.findAll { it instanceof Closure }.each { inside(it, depth + 1) }
    }

    static void inside(Closure body, int depth) {
        body.delegate = new Block(depth: depth)
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }
}

abstract class JobDsl extends Script {
    void folder(String name, Closure body) {
        println "folder ${name}"
        Block.inside(body, 1)
    }

    void pipelineJob(String name, Closure body) {
        println "pipelineJob ${name}"
        Block.inside(body, 1)
    }
}

def configuration = new CompilerConfiguration(scriptBaseClass: JobDsl.name)
new GroovyShell(this.class.classLoader, new Binding(), configuration).evaluate(new File(args[0]))
