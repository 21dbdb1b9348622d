"""What a person or a program reads of runs: the report, the ledger of runs, the progress of one."""
