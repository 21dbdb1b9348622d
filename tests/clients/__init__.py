"""Programs of other people against `docferry emulator`: run by `make clients`."""
