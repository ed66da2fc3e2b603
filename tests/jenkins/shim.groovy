// Runs jenkins/pipeline.groovy as Jenkins would, as far as it goes: stages in order, `sh` for real,
// nothing after a stage that fails. It knows the words that the pipeline uses, and no others.
// usage: groovy shim.groovy PIPELINE JOB [PARAMETER=VALUE]...
// Tells each step as a line of JSON. Where CHECKS is set, a build of another job fails.

import groovy.json.JsonOutput
import org.codehaus.groovy.control.CompilerConfiguration

class Failed extends Exception {
    Failed(String why) {
        super(why)
    }
}

abstract class Declarative extends Script {
    void tell(Map step) {
        println JsonOutput.toJson(step)
    }

    void run(Closure body) {
        body.resolveStrategy = Closure.OWNER_FIRST
        body()
    }

    void pipeline(Closure body) {
        run(body)
    }

    void agent(Closure body) {
        run(body)
    }

    void label(String name) {
        tell(label: name)
    }

    void options(Closure body) {
        run(body)
    }

    void timeout(Map limit) {
        tell(timeout: "${limit.time} ${limit.unit}" as String)
    }

    void stages(Closure body) {
        run(body)
    }

    void stage(String name, Closure body) {
        tell(stage: name)
        run(body)
    }

    void steps(Closure body) {
        run(body)
    }

    void script(Closure body) {
        run(body)
    }

    void echo(String text) {
        tell(echo: text)
    }

    void sh(String script) {
        sh(script: script)
    }

    String sh(Map given) {
        def process = new ProcessBuilder('sh', '-xe', '-c', given.script as String)
        process.environment().putAll(env)
        process.environment().putAll(params)
        process.redirectError(ProcessBuilder.Redirect.INHERIT)
        def running = process.start()
        def said = running.inputStream.text
        def code = running.waitFor()
        tell(sh: given.script, code: code)
        if (code) {
            throw new Failed("script returned exit code ${code}")
        }
        given.returnStdout ? said : null
    }

    Map string(Map parameter) {
        [(parameter.name): parameter.value]
    }

    void build(Map given) {
        tell(build: given.job, parameters: given.parameters.sum())
        if (System.getenv('CHECKS')) {
            throw new Failed("${given.job} completed with status FAILURE")
        }
    }
}

def (pipeline, job) = args[0..1]
def parameters = args.drop(2).collectEntries { it.split('=', 2) as List }
def build = new Expando(description: null)
def binding = new Binding(
    params: parameters,
    env: [JOB_NAME: job, JOB_BASE_NAME: job.tokenize('/').last()],
    currentBuild: build,
)
def configuration = new CompilerConfiguration(scriptBaseClass: Declarative.name)
try {
    new GroovyShell(this.class.classLoader, binding, configuration).evaluate(new File(pipeline))
    println JsonOutput.toJson([result: 'SUCCESS', description: build.description])
} catch (Failed failed) {
    println JsonOutput.toJson([result: 'FAILURE', description: build.description, why: failed.message])
    System.exit(1)
}
