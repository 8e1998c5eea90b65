// Prints what test-results-parser, a library without a command, makes of a JUnit report, as JSON.
import parser from 'test-results-parser';

console.log(JSON.stringify(parser.parse({ type: 'junit', files: [process.argv[2]] })));
