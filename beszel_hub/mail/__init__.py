"""E-mail: letters put into form, and sent through one SMTP server.

MailFailed          a letter was not taken, with a reason that may be logged
"""
