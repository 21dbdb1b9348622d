"""The URLs at which moto finds the service."""

from docferry_emulators.kendra.responses import KendraResponse

url_bases = [r"https?://kendra(?:-fips)?\.(?:[^./]+)\.(?:amazonaws\.com|api\.aws)"]
url_paths = {"{0}/.*$": KendraResponse.dispatch, "{0}/$": KendraResponse.dispatch}
