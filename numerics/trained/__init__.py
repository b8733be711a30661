"""Trained models in the loop: small ones of the kinds that people train, held against what the theory derives."""

from numerics.trained.autoencoder import Autoencoder as Autoencoder
from numerics.trained.factors import Factors as Factors
from numerics.trained.learner import Learner as Learner
from numerics.trained.retraining import retrain as retrain
from numerics.trained.training import Training as Training
