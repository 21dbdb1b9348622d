"""The emulators and moto behind one loopback port."""
