// The release of one commit of a repository. It is the platform's: the project's own Jenkinsfile is
// another job's, on another agent, without any right.
//
// GROUP and NAME of the repository are those of the job, which nobody can give as parameters.

def model(String stage) {
    'notehive model ' + stage +
        ' --group "${JOB_NAME%/*}" --name "$JOB_BASE_NAME" --commit "$COMMIT"'
}

pipeline {
    agent {
        label 'releases'
    }
    options {
        timeout(time: 6, unit: 'HOURS')
    }
    stages {
        stage('own checks') {
            options {
                timeout(time: 1, unit: 'HOURS')
            }
            steps {
                script {
                    currentBuild.description = "${params.COMMIT} by ${params.PUSHER ?: 'hand'}"
                    // An address that is good for fetching this repository, and only for a while;
                    // nothing if there is no Jenkinsfile.
                    def source = sh(script: model('source'), returnStdout: true).trim()
                    if (source) {
                        build job: "${env.JOB_BASE_NAME}.checks", parameters: [
                            string(name: 'COMMIT', value: params.COMMIT),
                            string(name: 'SOURCE', value: source),
                        ]
                    } else {
                        echo 'The project has no Jenkinsfile.'
                    }
                }
            }
        }
        stage('check') {
            options {
                timeout(time: 15, unit: 'MINUTES')
            }
            steps {
                sh model('check')
            }
        }
        stage('build') {
            options {
                timeout(time: 2, unit: 'HOURS')
            }
            steps {
                sh model('build')
            }
        }
        stage('smoke') {
            options {
                timeout(time: 2, unit: 'HOURS')
            }
            steps {
                sh model('smoke')
            }
        }
        stage('push') {
            options {
                timeout(time: 1, unit: 'HOURS')
            }
            steps {
                sh model('push')
            }
        }
        stage('publish') {
            options {
                timeout(time: 15, unit: 'MINUTES')
            }
            steps {
                sh model('publish')
            }
        }
    }
}
