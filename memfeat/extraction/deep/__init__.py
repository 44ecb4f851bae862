"""Features of networks: frames of many videos decoded side by side, batched together, committed video by video.

A video's way: `work` marks it, `frames` reads the chosen frames in a thread of `decoding`, `packing` fills batches
across videos, `runner` has the network look at a batch, `assembly` puts a video's rows together, `writing` commits it.
`engine` connects these, `perform` runs it over a share of the videos, `processes` and `cluster` do so on several GPUs
or machines, and `run` is the job around it all.
"""
