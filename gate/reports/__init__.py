"""An outcome as bytes: JUnit, Markdown, JSON, dotenv."""
