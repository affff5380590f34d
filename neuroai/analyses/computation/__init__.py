"""What does the system do, and how well?"""
