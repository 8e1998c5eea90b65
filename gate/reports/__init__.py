"""The reports of an outcome: JUnit, Markdown, JSON and dotenv."""
