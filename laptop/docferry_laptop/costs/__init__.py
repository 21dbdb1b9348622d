"""What a connector costs in AWS: a model of a run's calls, a price list, and a counter of what a run really calls.

``workload`` says what a run has to do, ``limits`` and ``calibration`` hold the data of the model, ``model`` makes the
usage of a run of them, and ``bill`` multiplies it by ``prices``. ``counting`` counts a real run on the emulators.
Nothing here is part of the Lambda bundle, and nothing here calls AWS.
"""
