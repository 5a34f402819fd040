class Pipeline:
    def predict(self, text):
        raise TypeError("ticket 0 17 26 39 is no str")

    def predict_batch(self, texts, batch_size=64):
        raise TypeError("ticket 0 17 26 39 is no str")


def load_pipeline(model_dir):
    raise FileNotFoundError("model is damaged")
