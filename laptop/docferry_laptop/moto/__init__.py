"""What moto leaves out or does slowly, and this adds. Every patch of moto is here."""

from docferry_laptop.moto.without_ec2 import import_batch_utils

# Before any module here imports the interpreter.
import_batch_utils()
