"""Features of networks: frames of many videos decoded side by side, batched together, committed video by video.

A video's way: `work` marks it, `frames` reads the chosen frames in a thread of `decoding`, `packing` fills batches
across videos, `runner` has the network look at a batch, `assembly` puts a video's rows together, `writing` commits it.
`engine` connects these; `run` is the job around them, `processes` and `cluster` repeat it on several GPUs or machines.
"""
