"""The comparison of a whole listing with the manifest, in stages and steps that any invocation may go on with."""
