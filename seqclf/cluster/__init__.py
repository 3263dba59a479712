"""Tasks on other machines: Ray's, or those that Slurm gives.

From what is told to what is done: `asked` is what a person asks for, `opened` opens it,
`dispatch` sends tasks out and takes in what comes back, `locks` are of the folders that
they come back to, `errand` does one where it was sent, `parcels` are the files and
calls that travel. `ray_machines` and `slurm_machines` are the two ways there; `tokens`
says who may use the first.
"""
