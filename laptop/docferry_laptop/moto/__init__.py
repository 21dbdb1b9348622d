"""What moto leaves out or does slowly, and this adds. Every patch of moto is here."""
