"""The URLs at which moto finds the service."""

from docferry_emulators.qbusiness.responses import QBusinessResponse

url_bases = [r"https?://qbusiness(?:-fips)?\.(?:[^./]+)\.(?:amazonaws\.com|api\.aws)"]
url_paths = {"{0}/.*$": QBusinessResponse.dispatch, "{0}/$": QBusinessResponse.dispatch}
