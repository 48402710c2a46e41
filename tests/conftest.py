"""Lets every test import the modules beside this file: pytest puts the folder of a conftest.py on the path."""
