// The jobs, as Job DSL: a folder for each group, and two jobs for each repository. Jenkins runs this
// when it starts, and when the platform has it read its configuration again.

import groovy.json.JsonSlurper

def root = System.getenv('NOTEHIVE_ROOT') ?: ''
def read = { path -> new JsonSlurper().parse(new File("${root}${path}")) }
def teams = read('/etc/notehive/jenkins/groups.json')
// Written by whoever makes repositories, and not there before the first one.
def repositories = '/srv/jenkins/repositories.json'
def listed = new File("${root}${repositories}").exists() ? read(repositories) : []
def release = new File("${root}/opt/notehive/jenkins/pipeline.groovy").text

teams.each { team ->
    folder(team.name) {
        description("Releases of the models of ${team.name}.")
        properties {
            authorizationMatrix {
                inheritanceStrategy {
                    inheriting()
                }
                entries {
                    group {
                        name(team.name)
                        // Releases are asked of the platform, which has Jenkins build them.
                        permissions(['Job/Cancel', 'Job/Read'])
                    }
                    if (team.seen_by_all) {
                        group {
                            name('authenticated')
                            permissions(['Job/Read'])
                        }
                    }
                }
            }
        }
    }
}

listed.findAll { it.group in teams*.name }.each { repository ->
    def job = "${repository.group}/${repository.name}"

    pipelineJob(job) {
        description("Check, build, smoke-run, push and publish a commit of ${job}.")
        parameters {
            stringParam('COMMIT', '', 'The commit, all of its 40 digits.')
            stringParam('PUSHER', '', 'Who pushed it.')
        }
        logRotator {
            numToKeep(50)
        }
        properties {
            disableConcurrentBuilds {
                abortPrevious(false)
            }
        }
        definition {
            cps {
                script(release)
                sandbox(true)
            }
        }
    }

    pipelineJob("${job}.checks") {
        description("The Jenkinsfile of ${job}. Releases start it.")
        parameters {
            stringParam('COMMIT', '', 'The commit, all of its 40 digits.')
            stringParam('SOURCE', '', 'Where it can be fetched from.')
        }
        logRotator {
            numToKeep(50)
        }
        definition {
            cpsScm {
                scm {
                    git {
                        remote {
                            url('$SOURCE')
                        }
                        branch('$COMMIT')
                    }
                }
                scriptPath('Jenkinsfile')
                // A lightweight checkout knows branches, and no commits.
                lightweight(false)
            }
        }
    }
}
