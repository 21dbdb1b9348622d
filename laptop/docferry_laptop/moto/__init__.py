"""Every patch of moto: they add what moto leaves out, and speed up what moto does slowly."""

from docferry_laptop.moto.without_ec2 import import_batch_utils

# This has to run before any module here imports the interpreter.
import_batch_utils()
