// Runs a Jenkinsfile as far as its own words go: `sh` as Jenkins does it, credentials and results as given or recorded.
//
// stdin: {"file", "cases": [{"workspace", "env": {..}, "credentials": {ID: [USER, PASSWORD]}, "bat": {"code", "files": {..}}}]}
// stdout: [{"result", "description", "error", "commands": [..], "log", "junit": {..}}]
// On Windows' `bat` nothing is started here: every step of it ends with 0, the last one as the case says.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

class StepFailed extends RuntimeException {
    StepFailed(String message) { super(message) }
}

class EnvironmentBlock {
    Map values
    Map env

    void setProperty(String name, value) { values[name] = value.toString() }
}

abstract class Pipeline extends Script {
    Map given, values = [:], secrets = [:], junitCall
    List commands = []
    StringBuilder log = new StringBuilder()
    String result = 'SUCCESS', failure
    Expando currentBuild = new Expando(description: null)
    def any = 'any'

    void take(Map given) { this.@given = given }

    void pipeline(Closure body) { body() }
    void agent(where) {}
    void options(Closure body) { body() }
    void timeout(Map limits) { assert limits.unit == 'MINUTES' }
    void stages(Closure body) {
        try { body() } catch (StepFailed problem) { result = 'FAILURE'; failure = problem.message }
    }
    void stage(String name, Closure body) { body() }
    void steps(Closure body) { body() }
    void script(Closure body) { body() }
    void post(Closure body) { body() }
    void always(Closure body) { body() }
    void junit(Map arguments) { junitCall = arguments }
    void error(String message) { throw new StepFailed(message) }
    void unstable(String message) { result = 'UNSTABLE'; failure = message }
    Map usernamePassword(Map credential) { credential }
    Map getEnv() { values } // what a script puts there, later steps have in their environment

    void environment(Closure body) {
        body.delegate = new EnvironmentBlock(values: values, env: given.env)
        body.resolveStrategy = Closure.DELEGATE_ONLY
        body()
    }

    void withCredentials(List wanted, Closure body) {
        wanted.each {
            def (user, password) = given.credentials[it.credentialsId]
            secrets[it.usernameVariable] = user
            secrets[it.passwordVariable] = password
        }
        try { body() } finally { secrets.clear() }
    }

    def sh(String script) { sh(script: script, returnStatus: false) }
    def sh(Map step) { run(step) { ['sh', '-xe', '-c', step.script] } }
    def bat(String script) { bat(script: script, returnStatus: false) }
    def bat(Map step) {
        if (step.returnStatus) {
            given.bat.files.each { name, text -> new File(given.workspace, name).text = text }
        }
        run(step) { ['sh', '-c', "exit ${step.returnStatus ? given.bat.code : 0}".toString()] }
    }

    def run(Map step, Closure command) {
        commands << step.script
        def builder = new ProcessBuilder(command() as String[])
        builder.directory(new File(given.workspace)).redirectErrorStream(true)
        builder.environment().putAll(values + given.env + secrets)
        def process = builder.start()
        log << process.inputStream.text
        def code = process.waitFor()
        if (step.returnStatus) return code
        if (code != 0) throw new StepFailed("script returned exit code ${code}")
    }

    Map readProperties(Map arguments) {
        def properties = new Properties()
        new File(given.workspace, arguments.file).withReader { properties.load(it) }
        properties as Map
    }
}

def request = new JsonSlurper().parse(System.in)
def configuration = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: Pipeline.name)
def results = request.cases.collect { given ->
    def script = new GroovyShell(Pipeline.classLoader, new Binding(), configuration).parse(new File(request.file).text)
    script.take(given) // an assignment from outside would go to the script's binding
    script.run()
    [result: script.result, description: script.currentBuild.description?.toString(), error: script.failure?.toString(),
     commands: script.commands, log: script.log.toString(), junit: script.junitCall]
}
println JsonOutput.toJson(results)
