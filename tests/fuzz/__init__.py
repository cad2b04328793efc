"""What is thrown at the code that reads other people's text, and what must hold whatever it was."""
