"""By which representations?"""
