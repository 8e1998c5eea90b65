/** Starts Hudson, which takes the Java of today for one that is too old: it reads the version as 1.x. */
public class Start {
    public static void main(String[] arguments) throws Exception {
        System.setProperty("java.version", "1.8.0");
        org.eclipse.hudson.war.Executable.main(arguments);
    }
}
