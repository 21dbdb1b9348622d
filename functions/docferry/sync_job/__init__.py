"""The sync job of a data source, and the lease that lets only one run at a time open one."""
