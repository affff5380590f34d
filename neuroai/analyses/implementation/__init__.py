"""Carried by which parts?"""
